// SPDX-License-Identifier: Apache-2.0
#include "config/secret_files.hpp"

#include "config/small_file.hpp"
#include "config/text.hpp"
#include "config/toml_reader.hpp"
#include "config/wording.hpp"
#include "messages/ascii.hpp"

#include <sstream>
#include <utility>
#include <variant>
#include <vector>

namespace eventweft::config {

std::optional<std::string>
assign_from_files(const key& k, field target, const raw_value& raw,
                  const std::filesystem::path& base) {
  std::vector<std::string> paths;
  if (const auto* plain = std::get_if<plain_text>(&raw)) {
    auto list = is_list_text(plain->value) ? read_text_list(plain->value)
                                           : std::nullopt;
    if (list)
      paths = std::move(*list);
    else if (!plain->value.empty())
      paths.push_back(plain->value);
  } else if (const auto* text = std::get_if<std::string>(&raw)) {
    if (!text->empty())
      paths.push_back(*text);
  } else if (const auto* list = std::get_if<std::vector<std::string>>(&raw)) {
    paths = *list;
  } else {
    return "expected " + expectation(k);
  }
  for (const auto& path : paths) {
    const auto text = read_file(base / path, "file");
    if (!text)
      return text.error().message;
    std::vector<std::string> lines;
    std::istringstream in{*text};
    for (std::string line; std::getline(in, line);)
      if (const auto one = trim(line); !one.empty())
        lines.emplace_back(one);
    if (lines.empty())
      return "file " + (base / path).string() + ": holds no secret";
    if (auto* const* one = std::get_if<std::string*>(&target))
      **one = lines.front();
    else if (auto* const* all = std::get_if<std::vector<std::string>*>(&target))
      (*all)->insert((*all)->end(), lines.begin(), lines.end());
  }
  return std::nullopt;
}

} // namespace eventweft::config
