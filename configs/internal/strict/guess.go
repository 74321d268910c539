package strict

import (
	"fmt"
	"slices"
	"strings"
)

// Guess returns `did you mean "x"?` if one of the known words is close to the
// wrong one, else a list of them all, else nothing.
func Guess(wrong string, known []string) string {
	best, distance := "", min(1+len([]rune(wrong))/3, 4)
	for _, word := range known {
		if word == "" {
			continue
		}
		if d := edits(strings.ToLower(wrong), strings.ToLower(word)); d <= distance && (best == "" || d < distance) {
			best, distance = word, d
		}
	}
	if best == "" {
		best = ending(wrong, known)
	}
	switch {
	case best != "":
		return fmt.Sprintf("did you mean %q?", best)
	case len(known) > 0 && len(known) <= 12:
		return "one of " + Words(known)
	}
	return ""
}

// ending returns the one word whose last part is the wrong one, such as
// http_headers for headers.
func ending(wrong string, known []string) (best string) {
	for _, word := range known {
		if len(wrong) < 3 || !strings.HasSuffix(strings.ReplaceAll(word, "-", "_"), "_"+wrong) {
			continue
		}
		if best != "" {
			return ""
		}
		best = word
	}
	return best
}

// Words lists words for people: "a", "b" or "c".
func Words(words []string) string {
	quoted := make([]string, 0, len(words))
	for _, word := range words {
		if word != "" {
			quoted = append(quoted, fmt.Sprintf("%q", word))
		}
	}
	if len(quoted) < 2 {
		return strings.Join(quoted, "")
	}
	last := len(quoted) - 1
	return strings.Join(quoted[:last], ", ") + " or " + quoted[last]
}

// longestGuess bounds the work of a guess; no key is longer.
const longestGuess = 64

// edits counts the single-character changes between two words; swapped
// neighbours count as one change (optimal string alignment).
func edits(a, b string) int {
	x, y := []rune(a), []rune(b)
	if len(x) > longestGuess || len(y) > longestGuess {
		return longestGuess
	}
	rows := make([][]int, len(x)+1)
	for i := range rows {
		rows[i] = make([]int, len(y)+1)
		rows[i][0] = i
	}
	for j := range y {
		rows[0][j+1] = j + 1
	}
	for i := range x {
		for j := range y {
			same := 1
			if x[i] == y[j] {
				same = 0
			}
			d := min(rows[i][j+1]+1, rows[i+1][j]+1, rows[i][j]+same)
			if i > 0 && j > 0 && x[i] == y[j-1] && x[i-1] == y[j] {
				d = min(d, rows[i-1][j-1]+1)
			}
			rows[i+1][j+1] = d
		}
	}
	return rows[len(x)][len(y)]
}

// secretWords are the last words of keys whose values nobody may read.
var secretWords = []string{
	"password", "passwd", "passphrase", "secret", "token", "apikey", "api_key", "access_key", "private_key",
	"credentials", "authorization", "cookie", "routing_key", "signing_key",
}

// Secret says whether a value under this key is likely to be a secret.
func Secret(key string) bool {
	key = strings.ReplaceAll(strings.ToLower(key), "-", "_")
	return slices.ContainsFunc(secretWords, func(word string) bool {
		return key == word || strings.HasSuffix(key, "_"+word)
	})
}
