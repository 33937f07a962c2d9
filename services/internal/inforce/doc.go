// Package inforce reads which configuration is in force, and which replicas of
// assignment there are: the register, their beats, and the sweep that follows a
// switch. Only assignment writes them.
package inforce
