// Command tocsin runs the exchange.
package main

import (
	"context"
	"flag"
	"log/slog"
	"os"
	"os/signal"
)

func main() {
	var c config
	flag.StringVar(&c.Data, "data", "data", "folder of the exchange")
	flag.StringVar(&c.HTTP, "http", "127.0.0.1:8470", "address for HTTP")
	flag.StringVar(&c.DNS, "dns", "127.0.0.1:5470", "address for DNS")
	flag.Parse()
	c.Log = slog.Default()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	x, err := start(ctx, c)
	if err == nil {
		err = x.Wait(ctx)
		x.Close()
	}
	if err != nil {
		slog.Error("serve", "err", err)
		os.Exit(1)
	}
}
