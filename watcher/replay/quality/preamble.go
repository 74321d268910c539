package quality

// preamble is what stands above the tables.
const preamble = `# Decision quality

How often Bakewatch blames a healthy deployment, and how soon it finds a bad one. All figures below are
printed by a seeded simulation through the judge and the state machine that run in production; nothing in
the tables is written by hand.

A deployment is looked at every 15 seconds for half an hour, after a history of up to seven days. Requests
come at 0.1 to 1000 a second, a healthy version answers 0.1 % or 1 % of them badly, and a bad one 5 to
200 times as many (at most 95 %). The new version gets the stated traffic; a control gets as much, or nine times as much, or is
another service. The history is that of a service of the stated traffic. All judges see the same scrapes.

An **alarm** is a rollback or, where the evidence allows no more, a question to people. The **oracle** is a
sequential probability ratio test that knows the error rate of both versions and how errors cluster: nobody is told that much. It keeps
its promise by Wald's limits, so a peer that was tuned on the very noise may be quicker; the **bound** is the same, but must spare a version up to 1.25 times worse, as plans say by worse_by. Peers are implemented from their documentation, at its settings; *tuned*, at the
quickest setting that keeps to one false alarm in a thousand with each of the services (limits are multiples of the service's own error rate); and
*tuned to the service*, at one chosen for each traffic and error rate by somebody who has seen the very noise. Tuning and reporting use different seeds. [Replay](replay.md#the-peers)
says what they are, and shows the first two beside Bakewatch on your own past.

## What no method can do

- 1 % errors at 1 request a second, with clusters and drift, are about seven clusters in half an hour: an oracle misses a third of
  such regressions.
- Without a control, a blip is a regression that ends. Its false alarms fall only with delay: about 50 in 1,000 at 45 seconds, 2 at 330.
- At 0.1 requests a second a control of the same size has two to four errors in half an hour, and cannot tell.
- Without a control, an outage that all share cannot be told from a bad version.

`

// kinds explains the noises.
const kinds = `Noise: *clusters*: errors come in groups, dispersion φ within a look; *blips*: one in 6 hours, 15–75 s of 10–100 times the errors;
*drift*: the error rate wanders with an sd of 0.4 on the log scale, correlated over an hour; *shared outage*: 2–10 minutes of 20 times the errors in all
versions and services, during the bake; *counter resets*: a restart every 10 minutes that loses counts; *missed scrapes*: one in 20 and a gap of two minutes;
*rollout ramp*: from 10 % to all of the traffic in 10 minutes; *zero traffic*: not one request.

`

// losingPreamble stands above the losing cells; it takes the odds by which Bakewatch alarms.
const losingPreamble = `## Losing cells

Where a target is missed, or a peer that keeps to one false alarm in a thousand in clean traffic, clusters and drift of the service is quicker or misses less.
A cell is explained wholly by a bound where Bakewatch is within the target of that bound, taken instead of the oracle.

The **bound** is an oracle that must, as plans say by worse_by, spare a version that is 1.25 times worse. The **bound of any size** knows the error rate and the clusters as exactly, and
spares the same, but is not told what to wait for: it bets in equal parts on 2, 4, 10, 30 and 100 times what it spares, most of it from the first look on and some on a later onset, and
alarms once the odds are 1000 to 1 and three looks were bad. It learns nothing from a history, and allows for no drift.

Neither is a limit to every rule. Their false alarms are proved to be at most one in a thousand however often one looks, and counted they are fewer: with odds that use the one in a thousand up,
found by counting for the very service and noise, the bound of any size would miss clearly less of the regressions that it misses most of. So what was only
counted can miss less than it: a limit that is set for one service, or Bakewatch itself, whose odds are %.0f to 1. And a test that bets more on one size is quicker there, and slower elsewhere.

`
