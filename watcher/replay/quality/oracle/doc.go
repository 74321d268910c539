// Package oracle judges simulated deployments as one would who knows what no judge is
// told: it shows what could be reached at all.
package oracle
