package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
)

// control makes this test binary a shop's deployment tool, for the exec executor.
const control = "SHOP_CONTROL"

func shopTool() int {
	url := os.Getenv(control)
	if os.Args[1] == "live" {
		reply, err := http.Get(url + "/live")
		if err != nil {
			return 1
		}
		defer reply.Body.Close()
		var live struct{ Version string }
		if json.NewDecoder(reply.Body).Decode(&live) != nil {
			return 1
		}
		fmt.Println(live.Version)
		return 0
	}
	order, err := json.Marshal(map[string]string{
		"key": os.Getenv("BAKEWATCH_KEY"), "service": os.Getenv("BAKEWATCH_SERVICE"), "to": os.Getenv("BAKEWATCH_TO"),
	})
	if err != nil {
		return 1
	}
	reply, err := http.Post(url+"/rollback", "application/json", bytes.NewReader(order))
	if err != nil {
		return 75
	}
	defer reply.Body.Close()
	var said struct{ State string }
	if json.NewDecoder(reply.Body).Decode(&said) != nil || said.State != "done" {
		return 1
	}
	return 0
}
