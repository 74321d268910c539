//go:build long

package demo_test

import (
	"testing"

	"github.com/bakewatch/bakewatch/cmd/bakewatch/internal/shop"
)

func TestErrorsAreRolledBackAndVerified(t *testing.T)  { shows(t, shop.Errors, "error-rate") }
func TestSlownessIsRolledBackAndVerified(t *testing.T) { shows(t, shop.Latency, "latency") }
func TestCrashesAreRolledBackAndVerified(t *testing.T) { shows(t, shop.Crash, "crash") }
func TestTwoGoodVersionsPass(t *testing.T)             { shows(t, shop.Good, "") }
