/* The version of varve, and the number that generated code and runtime must share. */
#ifndef VARVE_VERSION_H
#define VARVE_VERSION_H

#define VARVE_VERSION "0.1.0"

/* Grows whenever an open struct or a generated table changes its layout. Generated headers compare
 * it and stop with #error when they were made for another one. */
#define VARVE_ABI 6

/* Enums of a schema are open: a number that this program does not know is kept. C++ needs to be
 * told that they hold any int; in C they do. */
#ifdef __cplusplus
#define VARVE_OPEN_ENUM : int
#else
#define VARVE_OPEN_ENUM
#endif

#if defined(__GNUC__)
#define VARVE_EXPORT __attribute__((visibility("default")))
#define VARVE_MUST_CHECK __attribute__((warn_unused_result))
#define VARVE_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define VARVE_EXPORT
#define VARVE_MUST_CHECK
#define VARVE_PRINTF(text, first)
#endif

#endif
