// Package secrets reads secrets from where the configuration says: a file, or a
// variable of the environment. No error of it holds a secret.
package secrets
