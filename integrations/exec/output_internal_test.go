package exec

import (
	"bytes"
	"strings"
	"testing"

	"github.com/bakewatch/bakewatch/integrations/outbound"
)

// However a command writes, only so much of it is kept.
func TestOutputIsBounded(t *testing.T) {
	for name, size := range map[string]int{
		"in small pieces": 1000, "in pieces as large as the limit": outputLimit, "in larger ones": 3*outputLimit + 1,
	} {
		t.Run(name, func(t *testing.T) {
			var first head
			var last tail
			for i := range 3 + 4*outputLimit/size {
				piece := bytes.Repeat([]byte{byte('a' + i%26)}, size)
				for _, n := range []func([]byte) (int, error){first.Write, last.Write} {
					if n, err := n(piece); n != size || err != nil {
						t.Fatalf("wrote %d of %d: %v", n, size, err)
					}
				}
				if len(last.kept) > 2*outputLimit || len(first.kept) > outputLimit {
					t.Fatalf("kept %d and %d bytes", len(first.kept), len(last.kept))
				}
				if last.kept[len(last.kept)-1] != piece[0] || first.kept[0] != 'a' {
					t.Fatalf("the first is %c, the last %c", first.kept[0], last.kept[len(last.kept)-1])
				}
			}
			if len(first.kept) != outputLimit || len(last.kept) < outputLimit || !last.cut {
				t.Errorf("kept %d and %d bytes, cut: %v", len(first.kept), len(last.kept), last.cut)
			}
		})
	}
}

func TestASecretThatTheLimitCutsThroughDoesNotShow(t *testing.T) {
	const token = "tok-3f9a8b77c1"
	redact := outbound.NewRedactor(outbound.NewSecret(token))
	for cut := range token {
		var output tail
		line := strings.Repeat("x", outputLimit+100) + token
		line += strings.Repeat("y", outputLimit-len(token)+cut) // the limit leaves so much of the token
		if _, err := output.Write([]byte(line + "\n")); err != nil {
			t.Fatal(err)
		}
		if said := output.lastLines(redact); strings.ContainsAny(said, "tok-3f9a8b77c1") || !strings.Contains(said, "yyy") {
			t.Errorf("cut at %d: %.40q", cut, said)
		}
	}
}

func TestOutputThatFitsIsShownFromItsBeginning(t *testing.T) {
	var output tail
	if _, err := output.Write([]byte("begun")); err != nil {
		t.Fatal(err)
	}
	if said := output.lastLines(outbound.NewRedactor(outbound.NewSecret("a-long-token"))); said != "begun" {
		t.Errorf("%q", said)
	}
}
