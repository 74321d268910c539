package quality

// tunedSettings are what Tune found on the tuning seed, by peer and service; rate 0 is
// for all services. Written by `make quality-tune`; not by hand.
var tunedSettings = map[tuning]Setting{
	{"argo rollouts", 0.1, 0.001}:       {50, 2},    // 5 wrong
	{"argo rollouts", 0.1, 0.01}:        {5, 8},     // 0 wrong
	{"argo rollouts", 1, 0.001}:         {10, 8},    // 2 wrong
	{"argo rollouts", 1, 0.01}:          {4, 8},     // 5 wrong
	{"argo rollouts", 10, 0.001}:        {4, 8},     // 3 wrong
	{"argo rollouts", 10, 0.01}:         {5, 5},     // 3 wrong
	{"argo rollouts", 100, 0.001}:       {5, 5},     // 0 wrong
	{"argo rollouts", 100, 0.01}:        {5, 0},     // 2 wrong
	{"argo rollouts", 1000, 0.001}:      {5, 0},     // 1 wrong
	{"argo rollouts", 1000, 0.01}:       {4, 0},     // 1 wrong
	{"argo rollouts", 0, 0}:             {4, 8},     // 5 wrong
	{"flagger", 0.1, 0.001}:             {50, 3},    // 5 wrong
	{"flagger", 0.1, 0.01}:              {15, 6},    // 0 wrong
	{"flagger", 1, 0.001}:               {10, 10},   // 1 wrong
	{"flagger", 1, 0.01}:                {4, 10},    // 1 wrong
	{"flagger", 10, 0.001}:              {4, 10},    // 2 wrong
	{"flagger", 10, 0.01}:               {5, 6},     // 3 wrong
	{"flagger", 100, 0.001}:             {5, 6},     // 0 wrong
	{"flagger", 100, 0.01}:              {5, 1},     // 2 wrong
	{"flagger", 1000, 0.001}:            {5, 1},     // 1 wrong
	{"flagger", 1000, 0.01}:             {4, 1},     // 1 wrong
	{"flagger", 0, 0}:                   {4, 10},    // 2 wrong
	{"consecutive checks", 0.1, 0.001}:  {50, 1},    // 1 wrong
	{"consecutive checks", 0.1, 0.01}:   {15, 2},    // 2 wrong
	{"consecutive checks", 1, 0.001}:    {15, 2},    // 5 wrong
	{"consecutive checks", 1, 0.01}:     {2, 5},     // 0 wrong
	{"consecutive checks", 10, 0.001}:   {2, 5},     // 1 wrong
	{"consecutive checks", 10, 0.01}:    {3, 3},     // 1 wrong
	{"consecutive checks", 100, 0.001}:  {4, 2},     // 6 wrong
	{"consecutive checks", 100, 0.01}:   {4, 1},     // 1 wrong
	{"consecutive checks", 1000, 0.001}: {4, 1},     // 1 wrong
	{"consecutive checks", 1000, 0.01}:  {4, 0},     // 2 wrong
	{"consecutive checks", 0, 0}:        {4, 3},     // 2 wrong
	{"mann-whitney", 0.1, 0.001}:        {0.05, 1},  // 0 wrong
	{"mann-whitney", 0.1, 0.01}:         {0.05, 1},  // 0 wrong
	{"mann-whitney", 1, 0.001}:          {0.05, 1},  // 0 wrong
	{"mann-whitney", 1, 0.01}:           {0.02, 1},  // 5 wrong
	{"mann-whitney", 10, 0.001}:         {0.02, 1},  // 4 wrong
	{"mann-whitney", 10, 0.01}:          {0.002, 1}, // 3 wrong
	{"mann-whitney", 100, 0.001}:        {0.002, 1}, // 5 wrong
	{"mann-whitney", 100, 0.01}:         {0.005, 1}, // 6 wrong
	{"mann-whitney", 1000, 0.001}:       {0.005, 1}, // 3 wrong
	{"mann-whitney", 1000, 0.01}:        {0.001, 1}, // 0 wrong
	{"mann-whitney", 0, 0}:              {0.002, 1}, // 5 wrong
	{"burn rate", 0.1, 0.001}:           {1, 1},     // 4 wrong
	{"burn rate", 0.1, 0.01}:            {1.5, 4},   // 4 wrong
	{"burn rate", 1, 0.001}:             {0.7, 1},   // 1 wrong
	{"burn rate", 1, 0.01}:              {0.3, 1},   // 6 wrong
	{"burn rate", 10, 0.001}:            {0.7, 2},   // 3 wrong
	{"burn rate", 10, 0.01}:             {0.3, 1},   // 1 wrong
	{"burn rate", 100, 0.001}:           {0.3, 1},   // 3 wrong
	{"burn rate", 100, 0.01}:            {0.3, 1},   // 3 wrong
	{"burn rate", 1000, 0.001}:          {0.3, 1},   // 3 wrong
	{"burn rate", 1000, 0.01}:           {0.3, 1},   // 2 wrong
	{"burn rate", 0, 0}:                 {1, 1},     // 4 wrong
}
