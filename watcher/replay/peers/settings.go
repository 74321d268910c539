package peers

// tuned are the settings for all services, by tool. Written by `make quality-tune`; not by hand.
var tuned = map[string]Setting{
	"argo rollouts":      {Times: 4, Count: 8},     // 5 wrong
	"flagger":            {Times: 4, Count: 10},    // 2 wrong
	"consecutive checks": {Times: 4, Count: 3},     // 2 wrong
	"mann-whitney":       {Times: 0.002, Count: 1}, // 5 wrong
	"burn rate":          {Times: 1, Count: 1},     // 4 wrong
}
