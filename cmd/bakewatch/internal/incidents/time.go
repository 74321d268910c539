package incidents

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// The years that times may be of.
const (
	earliest = 0            // 1970
	latest   = 253402300800 // 10000
)

// ParseTime reads Unix seconds, with a fraction or without, or RFC 3339.
func ParseTime(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, fmt.Errorf("it is missing")
	}
	seconds, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t, err := time.Parse(time.RFC3339, s)
		if err != nil || t.Unix() < earliest || t.Unix() >= latest {
			return time.Time{}, fmt.Errorf("%q is no time", s)
		}
		return t.UTC(), nil
	}
	switch {
	case !(seconds >= earliest) || seconds >= 1000*latest:
		return time.Time{}, fmt.Errorf("%q is no time", s)
	case seconds >= 1e11: // the year 5138: nobody means that
		return time.Time{}, fmt.Errorf("%q are milliseconds, not seconds", s)
	}
	whole, part := math.Modf(seconds)
	return time.Unix(int64(whole), int64(math.Round(part*1e3))*int64(time.Millisecond)).UTC(), nil
}
