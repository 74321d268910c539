package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The page's own daemon's file and plan are checked, in a folder of their own, and
// what is printed must be what the page shows. With -update that is written into it.
func TestWhatCheckSaysInTheDocsIsWhatItSays(t *testing.T) {
	compared := 0
	for _, p := range guides(t) {
		folder := t.TempDir()
		for _, block := range p.blocks {
			first, shown, _ := strings.Cut(block.text, "\n")
			switch _, args, check := strings.Cut(first, "bakewatch check "); {
			case block.info == "toml daemon":
				write(t, filepath.Join(folder, daemonFile), block.text)
			case block.info == "toml plan":
				path := filepath.Join(folder, "plans", "shop.toml")
				if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
					t.Fatal(err)
				}
				write(t, path, block.text)
			case block.info == "console" && check && shown != "":
				compared++
				p.compare(t, block, shown, saysCheck(t, folder, strings.Fields(args)))
			}
		}
	}
	if compared == 0 {
		t.Error("no page shows what check says")
	}
}

// saysCheck runs check in a folder.
func saysCheck(t *testing.T, folder string, args []string) string {
	t.Helper()
	back, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(folder)
	defer t.Chdir(back) // the pages are named from there
	var out bytes.Buffer
	if code := run(context.Background(), append([]string{"check"}, args...), strings.NewReader(""), &out, &out); code != 0 {
		t.Errorf("exit %d", code)
	}
	return out.String()
}

// compare holds a block to what is really said, or writes that into the page.
func (p page) compare(t *testing.T, block fenced, shown, said string) {
	t.Helper()
	switch {
	case shown == said:
	case !*update:
		t.Errorf("%s: shown:\n%s\nsaid:\n%s\nrun this test with -update", p.at(block.line), shown, said)
	default:
		text, err := os.ReadFile(p.path)
		if err != nil {
			t.Fatal(err)
		}
		write(t, p.path, strings.Replace(string(text), shown, said, 1))
	}
}
