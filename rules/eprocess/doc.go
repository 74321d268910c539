// Package eprocess tells a regression from noise by betting against "nothing got
// worse". The wealth of the bets may be looked at as often as one likes: while
// nothing is worse it ever reaches w with a probability of at most 1/w (an e-process;
// Ville 1939, Shafer and Vovk 2019, Ramdas et al. 2023).
//
// Real traffic is not binomial: errors come in clusters, rates drift. So the bets are
// ratios of beta-binomial likelihoods whose parameters come from the service's own
// history. Then the guarantee holds as far as the model does; what it keeps in
// simulation and on recorded incidents is printed in docs/decision-quality.md.
//
// Where an improvement is asked for the bets are against "it is as much better", and
// begin with what has changed nothing (improve.go, improving.go, partner.go).
//
// The package knows counts and nothing else: no query, no clock, no rule. It never
// takes a look that is missing for one without errors.
//
// Start reading at Estimate (history.go), then Detector (detector.go), Versus
// (versus.go) and Judge (judge.go), which puts them together for a Setup (setup.go)
// and says what came of it as a Finding (finding.go).
package eprocess
