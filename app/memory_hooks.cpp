// SPDX-License-Identifier: Apache-2.0
#include "app/memory_hooks.hpp"

#include <utility>

namespace eventweft {

memory_hooks memory_hooks_of(processing::registry_ptr processors,
                             std::shared_ptr<metrics> figures, logger_ptr log) {
  memory_hooks out;
  out.runs = [processors](std::string_view name) {
    return processors->find(name) != nullptr;
  };
  out.wants = [processors](std::string_view name, const event& ev) {
    const auto found = processors->find(name);
    return found != nullptr && found->filter.matches(ev);
  };
  out.letter_gone = [figures = std::move(figures),
                     log = std::move(log)](const dead_letter& x) {
    figures->dead_letter_lost(x.origin);
    log->error("dead letter {} from {} is gone: it had to make room for newer "
               "ones, as they are kept in memory only",
               to_string(x.id), x.origin);
  };
  return out;
}

} // namespace eventweft
