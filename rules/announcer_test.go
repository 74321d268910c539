package rules_test

import (
	"errors"
	"testing"

	"github.com/bakewatch/bakewatch/rules"
)

func TestAKeyAnnouncesOnlyWhatItsAnnouncerMay(t *testing.T) {
	all := rules.Announcers{
		"ci":      {NKeys: []string{"UNEW", "UOLD"}, Services: []string{"checkout", "shop-*"}, Environments: []string{"staging", "production"}},
		"release": {NKeys: []string{"UREL"}, Services: []string{"*"}},
		"nothing": {NKeys: []string{"UNOT"}},
	}
	for name, test := range map[string]struct {
		key, service, environment, want string
	}{
		"a service by its name":              {"UNEW", "checkout", "production", "ci"},
		"by the key that is replaced":        {"UOLD", "checkout", "staging", "ci"},
		"a service by its beginning":         {"UNEW", "shop-web", "production", "ci"},
		"the beginning alone":                {"UNEW", "shop-", "production", "ci"},
		"a shorter name":                     {"UNEW", "shop", "production", ""},
		"a longer name than the whole one":   {"UNEW", "checkout-2", "production", ""},
		"another service":                    {"UNEW", "search", "production", ""},
		"another environment":                {"UNEW", "checkout", "lab", ""},
		"any service anywhere":               {"UREL", "search", "lab", "release"},
		"an announcer of nothing":            {"UNOT", "search", "lab", ""},
		"a key of nobody":                    {"UXXX", "checkout", "production", ""},
		"no key":                             {"", "checkout", "production", ""},
		"a service called like the wildcard": {"UNEW", "*", "production", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := all.Admit(test.key, rules.Deployment{Service: test.service, Environment: test.environment})
			if got != test.want || (err == nil) != (test.want != "") || err != nil && !errors.Is(err, rules.ErrForeign) {
				t.Errorf("%q, %v; want %q", got, err, test.want)
			}
		})
	}
}
