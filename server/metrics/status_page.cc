#include "server/metrics/status_page.h"

#include <cstddef>

// As the demonstration model is embedded: the assembler reads the file.
__asm__(
    ".section .rodata\n"
    ".global stillwave_status_page_begin\n"
    ".hidden stillwave_status_page_begin\n"
    "stillwave_status_page_begin:\n"
    ".incbin \"" STILLWAVE_STATUS_PAGE_FILE
    "\"\n"
    ".global stillwave_status_page_end\n"
    ".hidden stillwave_status_page_end\n"
    "stillwave_status_page_end:\n"
    ".byte 0\n"
    ".text\n");

extern "C" {
extern const char stillwave_status_page_begin[];
extern const char stillwave_status_page_end[];
}

namespace stillwave::metrics {

absl::string_view StatusPageHtml() {
  return {stillwave_status_page_begin, static_cast<size_t>(stillwave_status_page_end - stillwave_status_page_begin)};
}

}  // namespace stillwave::metrics
