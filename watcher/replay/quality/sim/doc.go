// Package sim draws deployments at random: what a service answered in the week before,
// and what a scrape every 15 seconds finds in the half hour after. Everything follows
// from a seed; nothing here reads a clock or judges.
//
// Traffic is Poisson. Errors are binomial or, where they come in clusters,
// beta-binomial; a noise kind bends their rate or loses what was counted. All judges
// of one deployment are shown the same Looks.
//
// Start reading at Case, then at World.
package sim
