// SPDX-License-Identifier: Apache-2.0
#include "processing/order.hpp"

namespace eventweft::processing {

std::string order_key(const processor& p, const event& ev) {
  switch (p.ordering) {
  case ordering::none:
    break;
  case ordering::source: {
    const auto& source = ev.source_id.empty() ? ev.source_name : ev.source_id;
    return ev.platform + '\n' + source;
  }
  case ordering::thread:
    return ev.correlation_id ? to_string(*ev.correlation_id) : std::string{};
  }
  return {};
}

bool order_lines::enter(const std::string& key, seq_t seq) {
  auto& line = lines_[key];
  line.push_back(seq);
  return line.size() == 1;
}

std::optional<seq_t> order_lines::leave(const std::string& key) {
  const auto line = lines_.find(key);
  line->second.pop_front();
  if (!line->second.empty())
    return line->second.front();
  lines_.erase(line);
  return std::nullopt;
}

} // namespace eventweft::processing
