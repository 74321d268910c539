package main

import (
	"os/user"

	"github.com/spf13/cobra"

	"github.com/bakewatch/bakewatch/watcher"
)

// refFlag adds --environment to a command that names a watch.
func refFlag(cmd *cobra.Command, ref *watcher.Ref) {
	cmd.Flags().StringVarP(&ref.Environment, "environment", "e", "", "where the name alone is not enough")
}

// named sets the name of the watch from the arguments.
func named(ref watcher.Ref, name string) watcher.Ref {
	ref.Name = name
	return ref
}

// personFlag adds --as, who is speaking.
func personFlag(cmd *cobra.Command, person *string) {
	cmd.Flags().StringVar(person, "as", "", "who is speaking; default: the user of this machine")
}

// speaker is who is speaking.
func speaker(as string) (string, error) {
	if as != "" {
		return as, nil
	}
	me, err := user.Current()
	if err != nil {
		return "", hinted(err, "say who you are with --as PERSON")
	}
	return me.Username, nil
}
