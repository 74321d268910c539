// Package peers decides as other tools do: each judge follows the documented behaviour
// of its tool, at the settings of its documentation or at given ones, and is named
// after it. None of their code is in here.
//
// All see the same looks as Bakewatch. Where a tool samples between two looks, it is
// credited with deciding at the look before: that favours it. Where looks are further
// apart than it samples, it does so at every look, over what that counted.
//
// Start reading at Argo (argo.go), then at Tools (tools.go).
package peers
