// Package strict checks TOML files against Go structs and tells everything that
// is wrong with them at once, each problem with its file, line and column.
//
// It knows nothing of plans or daemons: struct fields with `toml` and `doc` tags
// say what may stand in a table, and the same fields yield the JSON Schema and
// the reference pages. It never accepts a key that no field names, and never
// prints a value that may be a secret.
//
// Start reading at Parse (file.go), then Table.Decode (decode.go).
package strict
