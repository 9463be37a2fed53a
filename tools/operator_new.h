// What a program that has operator new of tools/operator_new.cc can say about its memory.
#ifndef PRECAST_TOOLS_OPERATOR_NEW_H_
#define PRECAST_TOOLS_OPERATOR_NEW_H_

namespace precast {

// From now on memory comes from the system in huge pages, if it has them. For a process that will
// fill tens of megabytes and end: to get them in small pages is a fifth of the time of `compile
// -O0`. Costs a few megabytes.
void UseHugePages();

}  // namespace precast

#endif  // PRECAST_TOOLS_OPERATOR_NEW_H_
