package quality

import "github.com/bakewatch/bakewatch/watcher/replay/peers"

// tunedSettings are what Tune found on the tuning seed, by peer and service. Written by
// `make quality-tune`; not by hand.
var tunedSettings = map[tuning]peers.Setting{
	{"argo rollouts", 0.1, 0.001}:       {Times: 50, Count: 2},    // 5 wrong
	{"argo rollouts", 0.1, 0.01}:        {Times: 5, Count: 8},     // 0 wrong
	{"argo rollouts", 1, 0.001}:         {Times: 10, Count: 8},    // 2 wrong
	{"argo rollouts", 1, 0.01}:          {Times: 4, Count: 8},     // 5 wrong
	{"argo rollouts", 10, 0.001}:        {Times: 4, Count: 8},     // 3 wrong
	{"argo rollouts", 10, 0.01}:         {Times: 5, Count: 5},     // 3 wrong
	{"argo rollouts", 100, 0.001}:       {Times: 5, Count: 5},     // 0 wrong
	{"argo rollouts", 100, 0.01}:        {Times: 5, Count: 0},     // 2 wrong
	{"argo rollouts", 1000, 0.001}:      {Times: 5, Count: 0},     // 1 wrong
	{"argo rollouts", 1000, 0.01}:       {Times: 4, Count: 0},     // 1 wrong
	{"flagger", 0.1, 0.001}:             {Times: 50, Count: 3},    // 5 wrong
	{"flagger", 0.1, 0.01}:              {Times: 15, Count: 6},    // 0 wrong
	{"flagger", 1, 0.001}:               {Times: 10, Count: 10},   // 1 wrong
	{"flagger", 1, 0.01}:                {Times: 4, Count: 10},    // 1 wrong
	{"flagger", 10, 0.001}:              {Times: 4, Count: 10},    // 2 wrong
	{"flagger", 10, 0.01}:               {Times: 5, Count: 6},     // 3 wrong
	{"flagger", 100, 0.001}:             {Times: 5, Count: 6},     // 0 wrong
	{"flagger", 100, 0.01}:              {Times: 5, Count: 1},     // 2 wrong
	{"flagger", 1000, 0.001}:            {Times: 5, Count: 1},     // 1 wrong
	{"flagger", 1000, 0.01}:             {Times: 4, Count: 1},     // 1 wrong
	{"consecutive checks", 0.1, 0.001}:  {Times: 50, Count: 1},    // 1 wrong
	{"consecutive checks", 0.1, 0.01}:   {Times: 15, Count: 2},    // 2 wrong
	{"consecutive checks", 1, 0.001}:    {Times: 15, Count: 2},    // 5 wrong
	{"consecutive checks", 1, 0.01}:     {Times: 2, Count: 5},     // 0 wrong
	{"consecutive checks", 10, 0.001}:   {Times: 2, Count: 5},     // 1 wrong
	{"consecutive checks", 10, 0.01}:    {Times: 3, Count: 3},     // 1 wrong
	{"consecutive checks", 100, 0.001}:  {Times: 4, Count: 2},     // 6 wrong
	{"consecutive checks", 100, 0.01}:   {Times: 4, Count: 1},     // 1 wrong
	{"consecutive checks", 1000, 0.001}: {Times: 4, Count: 1},     // 1 wrong
	{"consecutive checks", 1000, 0.01}:  {Times: 4, Count: 0},     // 2 wrong
	{"mann-whitney", 0.1, 0.001}:        {Times: 0.05, Count: 1},  // 0 wrong
	{"mann-whitney", 0.1, 0.01}:         {Times: 0.05, Count: 1},  // 0 wrong
	{"mann-whitney", 1, 0.001}:          {Times: 0.05, Count: 1},  // 0 wrong
	{"mann-whitney", 1, 0.01}:           {Times: 0.02, Count: 1},  // 5 wrong
	{"mann-whitney", 10, 0.001}:         {Times: 0.02, Count: 1},  // 4 wrong
	{"mann-whitney", 10, 0.01}:          {Times: 0.002, Count: 1}, // 3 wrong
	{"mann-whitney", 100, 0.001}:        {Times: 0.002, Count: 1}, // 5 wrong
	{"mann-whitney", 100, 0.01}:         {Times: 0.005, Count: 1}, // 6 wrong
	{"mann-whitney", 1000, 0.001}:       {Times: 0.005, Count: 1}, // 3 wrong
	{"mann-whitney", 1000, 0.01}:        {Times: 0.001, Count: 1}, // 0 wrong
	{"burn rate", 0.1, 0.001}:           {Times: 1, Count: 1},     // 4 wrong
	{"burn rate", 0.1, 0.01}:            {Times: 1.5, Count: 4},   // 4 wrong
	{"burn rate", 1, 0.001}:             {Times: 0.7, Count: 1},   // 1 wrong
	{"burn rate", 1, 0.01}:              {Times: 0.3, Count: 1},   // 6 wrong
	{"burn rate", 10, 0.001}:            {Times: 0.7, Count: 2},   // 3 wrong
	{"burn rate", 10, 0.01}:             {Times: 0.3, Count: 1},   // 1 wrong
	{"burn rate", 100, 0.001}:           {Times: 0.3, Count: 1},   // 3 wrong
	{"burn rate", 100, 0.01}:            {Times: 0.3, Count: 1},   // 3 wrong
	{"burn rate", 1000, 0.001}:          {Times: 0.3, Count: 1},   // 3 wrong
	{"burn rate", 1000, 0.01}:           {Times: 0.3, Count: 1},   // 2 wrong
}
