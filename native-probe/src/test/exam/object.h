/* The library under exam, as the workloads find it. */
#ifndef EXAM_OBJECT_H
#define EXAM_OBJECT_H

#include "exam.h"

extern void *exam_library;      /* handle of dlopen */

#endif
