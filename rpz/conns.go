package rpz

import (
	"container/list"
	"net"
	"net/netip"
	"sync"
)

// conns counts the connections that are open, and knows which of them wait
// for a question.
type conns struct {
	mu      sync.Mutex
	open    int
	each    map[netip.Prefix]int
	queue   list.List // of net.Conn, the one that has not asked for longest first
	waiting map[net.Conn]*list.Element
}

// enter counts c, unless its address has its share or everybody is busy.
func (cs *conns) enter(c net.Conn, from netip.AddrPort, all, each int) bool {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if cs.each == nil {
		cs.each, cs.waiting = map[netip.Prefix]int{}, map[net.Conn]*list.Element{}
	}
	home := neighbourhood(from)
	if cs.each[home] >= each {
		return false
	}
	if cs.open >= all {
		oldest := cs.queue.Front()
		if oldest == nil {
			return false
		}
		oldest.Value.(net.Conn).Close() // and it leaves by itself
		cs.dequeue(oldest.Value.(net.Conn))
	}
	cs.open++
	cs.each[home]++
	cs.waiting[c] = cs.queue.PushBack(c)
	return true
}

// asks takes c out of those that wait.
func (cs *conns) asks(c net.Conn) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.dequeue(c)
}

// waits puts c behind all others that wait.
func (cs *conns) waits(c net.Conn) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.dequeue(c)
	cs.waiting[c] = cs.queue.PushBack(c)
}

func (cs *conns) dequeue(c net.Conn) {
	if e, ok := cs.waiting[c]; ok {
		cs.queue.Remove(e)
		delete(cs.waiting, c)
	}
}

func (cs *conns) leave(c net.Conn, from netip.AddrPort) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.dequeue(c)
	home := neighbourhood(from)
	cs.open--
	if cs.each[home]--; cs.each[home] == 0 {
		delete(cs.each, home)
	}
}

// neighbourhood is how much of an address one party usually has for itself.
func neighbourhood(from netip.AddrPort) netip.Prefix {
	ip := from.Addr().Unmap()
	home, _ := ip.Prefix(min(ip.BitLen(), 64))
	return home
}
