package configs

import (
	"fmt"
	"regexp"

	"github.com/bakewatch/bakewatch/configs/internal/strict"
	"github.com/bakewatch/bakewatch/rules"
)

// stagePattern is that of the stages which events may name: also a share, "25%".
var stagePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/@:+%-]{0,127}$`)

func (l *loader) loadStages() {
	for _, t := range l.root.List("stage") {
		var stage rules.StageBake
		if at := t.String("at"); at != "" {
			t = t.In(fmt.Sprintf("stage %q", strict.Shorten(at)))
		}
		t.Decode(&stage)
		l.checkStage(t, stage)
		l.plan.Stages = append(l.plan.Stages, stage)
	}
}

func (l *loader) checkStage(t strict.Table, stage rules.StageBake) {
	switch {
	case stage.At == "":
		t.Fail("at", "at is required", `the stage's name as deployments announce it, such as "25%"`)
	case !stagePattern.MatchString(stage.At):
		t.Fail("at", fmt.Sprintf("at: %q is no name of a stage", strict.Shorten(stage.At)), nameHint+"; also %")
	}
	for i, earlier := range l.plan.Stages {
		if earlier.At == stage.At {
			t.Fail("at", fmt.Sprintf("at: stage %d is called %q as well", i+1, strict.Shorten(stage.At)), "a stage is listed once")
			break
		}
	}
	switch {
	case !t.Has("bake"):
		t.Fail("bake", "bake is required", `how long the stage is watched, such as "10m"`)
	case stage.Bake <= 0:
		t.Fail("bake", "bake must be longer than nothing", "")
	case stage.Bake < l.plan.Interval:
		t.Fail("bake", fmt.Sprintf("bake (%s) must hold at least one interval (%s)", stage.Bake, l.plan.Interval), "")
	}
}
