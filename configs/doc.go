// Package configs loads and checks what people write: the daemon's file and the
// rollback plans, both TOML. It tells everything that is wrong at once, with
// file, line and column, and hands out plans in which nothing is left to resolve.
//
// It starts nothing, asks nobody, and imports no integration and no kind of rule:
// the caller hands it a Catalog of what there is. A plan that is broken never
// takes another one down; the daemon's own file is all or nothing.
//
// Start reading at Load (load.go) for the daemon's file and LoadPlans (plans.go)
// for plans; the structs in daemon.go and plan.go are the schema, the JSON Schema
// and the reference at once. Package internal/strict does the checking.
package configs
