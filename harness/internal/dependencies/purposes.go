package main

// purposes say what each module is for.
var purposes = map[string]string{}
