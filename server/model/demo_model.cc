#include "server/model/demo_model.h"

// The assembler reads the file while it translates: no generated source, and the linker keeps it in read-only pages.
__asm__(
    ".section .rodata\n"
    ".balign 64\n"
    ".global stillwave_demo_model_begin\n"
    ".hidden stillwave_demo_model_begin\n"
    "stillwave_demo_model_begin:\n"
    ".incbin \"" STILLWAVE_DEMO_MODEL_FILE
    "\"\n"
    ".global stillwave_demo_model_end\n"
    ".hidden stillwave_demo_model_end\n"
    "stillwave_demo_model_end:\n"
    ".byte 0\n"
    ".text\n");

extern "C" {
extern const char stillwave_demo_model_begin[];
extern const char stillwave_demo_model_end[];
}

namespace stillwave::model {

absl::string_view DemoModelBytes() {
  return {stillwave_demo_model_begin, static_cast<size_t>(stillwave_demo_model_end - stillwave_demo_model_begin)};
}

}  // namespace stillwave::model
