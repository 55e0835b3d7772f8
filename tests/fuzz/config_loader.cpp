// SPDX-License-Identifier: Apache-2.0
// Any text either loads or is refused with a place; what loads can be
// described. The part after a NUL, if there is one, is the environment.
#include "config/loader.hpp"
#include "tests/fuzz/check.hpp"

using namespace eventweft;

namespace {

config::environment read_environment(std::string_view text) {
  config::environment env;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const auto equals = line.find('=');
    // Files would make the run depend on the machine.
    if (equals != std::string_view::npos &&
        line.find("_FILE=") == std::string_view::npos)
      env.emplace(line.substr(0, equals), line.substr(equals + 1));
  }
  return env;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto text = as_text(data, size);
  const auto nul = std::min(text.find('\0'), text.size());
  const auto file = text.substr(0, nul);
  if (file.find("_file") != std::string_view::npos)
    return 0;
  config::load_options options;
  if (nul < text.size())
    options.env = read_environment(text.substr(nul + 1));
  const auto loaded = config::load_text(file, "fuzz.toml", options);
  if (!loaded) {
    EVENTWEFT_CHECK(loaded.error().code == ec::bad_configuration);
    EVENTWEFT_CHECK(!loaded.error().message.empty());
    return 0;
  }
  EVENTWEFT_CHECK(!loaded->values.store.url.empty());
  EVENTWEFT_CHECK(!config::describe(*loaded).empty());
  return 0;
}
