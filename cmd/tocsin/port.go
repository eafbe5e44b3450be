package main

import (
	"errors"
	"fmt"
	"net"
	"syscall"
)

// unlistened says of an error of listening what to do about it. Other errors it
// leaves alone; ports says which flag chose an address.
func unlistened(err error, ports map[string]string) error {
	op, ok := errors.AsType[*net.OpError](err)
	if !ok || op.Op != "listen" {
		return err
	}
	flag := "--http or --dns"
	addr := "the address"
	if op.Addr != nil {
		addr = op.Addr.String()
		if f, ok := ports[addr]; ok {
			flag = f
		}
	}
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("another program has %s (%s) already; end it, or choose another port with %s; port 0 is any that is free", addr, op.Net, flag)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("%s is not for ordinary users; choose a port above 1023 with %s, or grant CAP_NET_BIND_SERVICE", addr, flag)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("this machine has no address %s; choose one that it has with %s", addr, flag)
	}
	return fmt.Errorf("can't listen on %s: %w; choose an address with %s", addr, op.Err, flag)
}
