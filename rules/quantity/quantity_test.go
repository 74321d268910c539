package quantity_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
	"pgregory.net/rapid"

	"github.com/bakewatch/bakewatch/rules/quantity"
)

func TestQuantitiesAreReadAsPeopleWriteThem(t *testing.T) {
	for text, want := range map[string]struct {
		value float64
		unit  quantity.Unit
	}{
		"0": {0, quantity.Plain}, "12": {12, quantity.Plain}, "-1.5": {-1.5, quantity.Plain}, "1e3": {1000, quantity.Plain}, ".5": {0.5, quantity.Plain},
		"1%": {0.01, quantity.Ratio}, "0.1%": {0.001, quantity.Ratio}, "7 %": {0.07, quantity.Ratio},
		"500ms": {0.5, quantity.Seconds}, "2s": {2, quantity.Seconds}, "1.5m": {90, quantity.Seconds}, "24h": {86400, quantity.Seconds},
		"2GiB": {2 << 30, quantity.Bytes}, "1kB": {1000, quantity.Bytes},
	} {
		t.Run(text, func(t *testing.T) {
			got, err := quantity.Parse(text)
			if err != nil || math.Abs(got.Value()-want.value) > 1e-12 || got.Unit() != want.unit || got.String() != text {
				t.Errorf("got %v %q, %v; want %v %q", got.Value(), got.Unit(), err, want.value, want.unit)
			}
		})
	}
	if q := quantity.Must("1%"); q.Value() != 0.01 {
		t.Errorf("1%% is %v, not exactly 0.01", q.Value())
	}
}

// A limit is kept by exactly its share: 7 of 1000 keep 0.7 %.
func TestALimitIsTheNumberThatItsWordsMean(t *testing.T) {
	for i := 1; i <= 999; i++ {
		n := float64(i)
		percent, ms := fmt.Sprintf("%g%%", float64(i)/10), fmt.Sprintf("%dms", i)
		for text, want := range map[string]float64{percent: n / 1000, ms: n / 1000, fmt.Sprintf("%dus", i): n / 1e6, fmt.Sprintf("%dns", i): n / 1e9} {
			if got := quantity.Must(text).Value(); got != want {
				t.Errorf("%s is %v, not %v", text, got, want)
			}
		}
	}
	if got := quantity.Must("7e-1 %").Value(); got != 0.007 {
		t.Errorf("with an exponent: %v", got)
	}
}

func TestWhatIsNoQuantityIsRefused(t *testing.T) {
	for _, text := range []string{"", " ", "abc", "1 parsec", "1e999", "1e99999999999999999999", "NaN", "Inf", "0x10", "1%%", "1,5", "5 m s"} {
		t.Run(text, func(t *testing.T) {
			if got, err := quantity.Parse(text); err == nil {
				t.Errorf("read as %v", got.Value())
			}
		})
	}
}

func TestTOMLStringsAndNumbersAreTaken(t *testing.T) {
	var file struct{ A, B, C, D quantity.Quantity }
	if _, err := toml.Decode("a = \"1%\"\nb = 2\nc = 0.5", &file); err != nil {
		t.Fatal(err)
	}
	if file.A.Value() != 0.01 || file.B.Value() != 2 || file.C.Value() != 0.5 || !file.D.IsZero() || file.B.IsZero() {
		t.Errorf("got %v", file)
	}
	for _, bad := range []string{`a = true`, `a = nan`, `a = inf`, `a = [1]`, `a = "x"`} {
		if _, err := toml.Decode(bad, &file); err == nil {
			t.Errorf("%s was taken", bad)
		}
	}
}

func TestQuantitiesSurviveJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`-?[0-9]{1,6}(\.[0-9]{1,9})?( ?(%|ms|s|m|h|GiB|kB))?`).Draw(t, "text")
		want := quantity.Must(text)
		data, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got quantity.Quantity
		if err := json.Unmarshal(data, &got); err != nil || got != want {
			t.Fatalf("%s became %v, %v", data, got, err)
		}
	})
	var q quantity.Quantity
	if err := json.Unmarshal([]byte("0.25"), &q); err != nil || q.Value() != 0.25 {
		t.Errorf("a JSON number: %v, %v", q, err)
	}
	if data, err := json.Marshal(quantity.Quantity{}); err != nil || string(data) != `""` {
		t.Errorf("not set: %s, %v", data, err)
	}
}

func TestValuesAreWrittenForPeople(t *testing.T) {
	for want, got := range map[string]string{
		"4.1 %": quantity.Format(0.041, quantity.Ratio), "0 %": quantity.Format(0, quantity.Ratio), "100 %": quantity.Format(1, quantity.Ratio),
		"0.03 %": quantity.Format(0.0003, quantity.Ratio), "512 ms": quantity.Format(0.512, quantity.Seconds), "1.5 s": quantity.Format(1.5, quantity.Seconds),
		"30 h": quantity.Format(108000, quantity.Seconds), "5 min": quantity.Format(300, quantity.Seconds), "2.1 GiB": quantity.Format(2.1*(1<<30), quantity.Bytes),
		"12 B": quantity.Format(12, quantity.Bytes), "1234": quantity.Format(1234, quantity.Plain), "1235": quantity.Format(1234.6, quantity.Plain), "3.14": quantity.Format(math.Pi, quantity.Plain),
		"12 per pod-hour": quantity.Format(1.0/300, quantity.PerPodSecond),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if huge := quantity.Format(1.5e300, quantity.Plain); !strings.Contains(huge, "e+") {
		t.Errorf("got %s", huge)
	}
}
