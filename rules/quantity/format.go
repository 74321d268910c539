package quantity

import (
	"math"
	"strconv"
	"strings"
)

// Format writes a value for people: "4.1 %", "512 ms", "2.1 GiB", "0.5 per pod-hour". Three figures
// are kept, and all of a whole number below a million.
func Format(value float64, unit Unit) string {
	switch unit {
	case Ratio:
		return figures(value*100) + " %"
	case Seconds:
		return formatSeconds(value)
	case Bytes:
		return formatBytes(value)
	case PerPodSecond:
		return figures(value*3600) + " per pod-hour"
	case Plain:
	}
	return figures(value)
}

func figures(value float64) string {
	size := math.Abs(value)
	switch {
	case value == math.Trunc(value) && size < 1e6:
		return strconv.FormatFloat(value, 'f', 0, 64)
	case size >= 1e6 || size < 1e-3:
		return strconv.FormatFloat(value, 'g', 3, 64)
	}
	decimals := max(0, 2-int(math.Floor(math.Log10(size))))
	text := strconv.FormatFloat(value, 'f', decimals, 64)
	if decimals > 0 {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return text
}

func formatSeconds(value float64) string {
	switch size := math.Abs(value); {
	case size >= 3600:
		return figures(value/3600) + " h"
	case size >= 120:
		return figures(value/60) + " min"
	case size >= 1 || size == 0:
		return figures(value) + " s"
	}
	return figures(value*1000) + " ms"
}

func formatBytes(value float64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	i := 0
	for ; math.Abs(value) >= 1024 && i < len(units)-1; i++ {
		value /= 1024
	}
	return figures(value) + " " + units[i]
}
