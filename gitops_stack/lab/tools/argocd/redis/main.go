// A Redis for the lab's Argo CD: in memory, loopback, gone when the process stops.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alicebob/miniredis/v2"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: miniredis HOST:PORT")
		os.Exit(2)
	}
	server := miniredis.NewMiniRedis()
	if err := server.StartAddr(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	defer server.Close()

	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, os.Interrupt)
	// miniredis has no clock of its own: without this no key would ever expire.
	tick := time.NewTicker(time.Second)
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
			server.FastForward(time.Second)
		}
	}
}
