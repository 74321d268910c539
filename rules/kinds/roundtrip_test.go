package kinds_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/kinds"
	"github.com/bakewatch/bakewatch/rules/quantity"
)

// drawField draws any value of an option's type.
func drawField(t *rapid.T, field reflect.Value, name string) {
	switch value := field.Addr().Interface().(type) {
	case *string:
		*value = rapid.String().Draw(t, name)
	case *[]string:
		*value = rapid.SliceOf(rapid.String()).Draw(t, name)
	case *bool:
		*value = rapid.Bool().Draw(t, name)
	case *int:
		*value = rapid.Int().Draw(t, name)
	case *float64:
		*value = rapid.Float64Range(-1e9, 1e9).Draw(t, name)
	case *quantity.Quantity:
		*value = quantity.Must(rapid.SampledFrom([]string{"0", "1%", "0.01", "2GiB", "500ms", "12"}).Draw(t, name))
	case *rules.Duration:
		*value = rules.Duration(rapid.Int64Range(0, 1e6).Draw(t, name) * 1e6)
	default:
		t.Fatalf("%s: teach this test the type %s", name, field.Type())
	}
}

// Plans travel in the journal: what the loader read is what a later owner reads.
func TestOptionsSurviveTheJournal(t *testing.T) {
	for _, kind := range kinds.All() {
		t.Run(kind.Name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				want := kind.New()
				options := reflect.ValueOf(want).Elem()
				for i := range options.NumField() {
					drawField(t, options.Field(i), options.Type().Field(i).Name)
				}
				data, err := json.Marshal(want)
				if err != nil {
					t.Fatal(err)
				}
				got := kind.New()
				if err := json.Unmarshal(data, got); err != nil || !reflect.DeepEqual(got, want) {
					t.Fatalf("%s became %+v, %v; want %+v", data, got, err, want)
				}
			})
		})
	}
}
