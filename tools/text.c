/* Words for people. */
#include <stdarg.h>

#include "ctl.h"

enum varvectl_exit
varvectl_fail(const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fflush(stdout);
    fprintf(stderr, "%s: ", varvectl_name);
    varvectl_print_line(stderr, text);
    fputc('\n', stderr);
    return VARVECTL_FAILED;
}

void
varvectl_print_line(FILE *file, const char *text)
{
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;
        putc(byte < 0x20 || byte == 0x7f ? ' ' : byte, file);
    }
}

const char *
varvectl_size_text(int64_t size_bytes, char buffer[32])
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    size_t unit = 0;
    double size = (double)size_bytes;
    for (; size >= 1024 && unit + 1 < sizeof units / sizeof *units; unit++)
        size /= 1024;
    snprintf(buffer, 32, unit == 0 ? "%.0f %s" : "%.1f %s", size, units[unit]);
    return buffer;
}
