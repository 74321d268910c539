// Package incidents reads recordings of counts from files: CSV that people wrote or
// exported, and the layout of the PetShop data set. It checks them as strictly as a
// plan is checked: every error names file and line and says what to do.
//
// It judges nothing; package replay does. A value that is missing is a gap and never
// a zero.
//
// Start reading at Load (load.go), then ReadCounts (counts.go).
package incidents
