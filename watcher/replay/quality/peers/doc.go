// Package peers decides as other tools do: each judge follows the documented behaviour
// of its tool, at the settings of its documentation or at given ones, and is named
// after it. None of their code is in here. An oracle that knows what a version is
// worse by shows what could be reached at all.
//
// All are judges of package sim and see the same scrapes. Where a tool samples between
// two scrapes, it is credited with deciding at the scrape before: that favours it.
//
// Start reading at Argo (argo.go), then at Peers (list.go).
package peers
