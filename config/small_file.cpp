// SPDX-License-Identifier: Apache-2.0
#include "config/small_file.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>

namespace eventweft::config {

namespace {

/// What nobody writes by hand is longer.
constexpr size_t largest_file = 1u << 20;

expected<std::string> content(std::ifstream& in, const std::string& subject) {
  std::string text(largest_file + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!in.is_open() || in.bad())
    return fail(ec::bad_configuration, subject + ": cannot be read");
  text.resize(static_cast<size_t>(in.gcount()));
  if (text.size() > largest_file)
    return fail(ec::bad_configuration, subject + ": larger than 1 MiB");
  return text;
}

} // namespace

expected<std::string> read_file(const std::filesystem::path& path,
                                const std::string& what) {
  const auto subject = what + ' ' + path.string();
  std::error_code fault;
  if (!std::filesystem::exists(path, fault))
    return fail(ec::bad_configuration, subject + ": no such file");
  if (!std::filesystem::is_regular_file(path, fault) &&
      !std::filesystem::is_fifo(path, fault) &&
      !std::filesystem::is_character_file(path, fault))
    return fail(ec::bad_configuration, subject + ": not a file");
  std::ifstream in{path, std::ios::binary};
  return content(in, subject);
}

expected<std::string> read_small_file(const std::string& path) {
  const auto subject = "file " + path;
  std::ifstream in{path, std::ios::binary};
  if (!in.is_open())
    return fail(ec::bad_configuration, subject + ": " + std::strerror(errno));
  auto text = content(in, subject);
  if (text && text->empty())
    return fail(ec::bad_configuration, subject + ": cannot be read");
  return text;
}

} // namespace eventweft::config
