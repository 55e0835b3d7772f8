// SPDX-License-Identifier: Apache-2.0
#include "messages/comma_list.hpp"

#include <utility>

namespace eventweft {

std::vector<std::string> comma_list(std::string_view text) {
  std::vector<std::string> out;
  std::string item;
  const auto end_item = [&] {
    if (!item.empty())
      out.push_back(std::exchange(item, {}));
  };
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && text.substr(i + 1).starts_with(','))
      item.push_back(text[++i]);
    else if (text[i] == ',')
      end_item();
    else
      item.push_back(text[i]);
  }
  end_item();
  return out;
}

std::string comma_escaped(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == ',')
      out.push_back('\\');
    out.push_back(c);
  }
  return out;
}

} // namespace eventweft
