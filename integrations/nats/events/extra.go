package events

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// MaxExtra is how many bytes of unknown fields are kept with a deployment: they
// travel in the journal. A deployment is never refused for carrying more.
const MaxExtra = 32 << 10

// leftOut is the field that tells of unknown fields that were too many to keep.
const leftOut = "(left out)"

// bounded returns the unknown fields, without the largest ones if they are more
// than MaxExtra in all; then it says so in a field of its own.
func bounded(extra map[string]json.RawMessage) map[string]json.RawMessage {
	size := func(key string) int { return len(key) + len(extra[key]) }
	keys := slices.SortedFunc(maps.Keys(extra), func(a, b string) int {
		return cmp.Or(cmp.Compare(size(a), size(b)), cmp.Compare(a, b))
	})
	used := 0
	for i, key := range keys {
		if used += size(key); used <= MaxExtra {
			continue
		}
		kept := make(map[string]json.RawMessage, i+1)
		for _, key := range keys[:i] {
			kept[key] = extra[key]
		}
		kept[leftOut] = json.RawMessage(fmt.Sprintf(`"%d unknown fields, too large to keep"`, len(keys)-i))
		return kept
	}
	return extra
}
