package main

import (
	"fmt"
	"net"

	"golang.org/x/sys/unix"
)

// holdPort binds a port, any free one for 0, and holds it until this process ends. The socket does not listen, so it
// takes no connections; with SO_REUSEPORT on both, the server that the port is for can listen on it meanwhile. The
// kernel gives such a port to no other program that asks for a free one, which a port that was found free and
// closed again could be.
func holdPort(address string, port int) (int, error) {
	family, sockaddr, err := socketAddress(address, port)
	if err != nil {
		return 0, err
	}
	socket, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("socket for %s: %w", address, err)
	}
	if err := unix.SetsockoptInt(socket, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1); err != nil {
		return 0, fmt.Errorf("share port %d: %w", port, err)
	}
	if err := unix.Bind(socket, sockaddr); err != nil {
		return 0, fmt.Errorf("port %d of %s cannot be had (%w): name another with -port, or none to take a free one",
			port, address, err)
	}
	name, err := unix.Getsockname(socket)
	if err != nil {
		return 0, err
	}
	switch name := name.(type) {
	case *unix.SockaddrInet4:
		return name.Port, nil
	case *unix.SockaddrInet6:
		return name.Port, nil
	}
	return 0, fmt.Errorf("%s: neither IPv4 nor IPv6", address)
}

func socketAddress(address string, port int) (family int, sockaddr unix.Sockaddr, err error) {
	ip := net.ParseIP(address)
	if ip == nil {
		return 0, nil, fmt.Errorf("-bind %s: write an IP address", address)
	}
	if v4 := ip.To4(); v4 != nil {
		return unix.AF_INET, &unix.SockaddrInet4{Port: port, Addr: [4]byte(v4)}, nil
	}
	return unix.AF_INET6, &unix.SockaddrInet6{Port: port, Addr: [16]byte(ip)}, nil
}
