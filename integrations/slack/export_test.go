package slack

import "net/url"

// Own says whether a URL leads to the Slack whose Web API is at the base.
func Own(base, raw string) error {
	parsed, err := url.Parse(base)
	if err != nil {
		return err
	}
	_, err = (&api{base: parsed}).own(raw)
	return err
}
