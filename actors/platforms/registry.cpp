// SPDX-License-Identifier: Apache-2.0
#include "actors/platforms/registry.hpp"

#include "actors/platforms/custom.hpp"
#include "actors/platforms/declarative.hpp"
#include "actors/platforms/deployments.hpp"
#include "actors/platforms/github.hpp"
#include "actors/platforms/linear.hpp"
#include "actors/platforms/slack.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>
#include <utility>

namespace eventweft::platforms {

namespace {

namespace fs = std::filesystem;

using maker = expected<platform_ptr> (*)(const platform_parts&);
using definitions = std::map<std::string, platform_definition, std::less<>>;

constexpr std::pair<std::string_view, maker> built_in[] = {
    {"github", make_github},
    {"linear", make_linear},
    {"slack", make_slack},
    {"deployments", make_deployments},
};

// Names that events or paths have already.
constexpr std::string_view taken[] = {
    "events", "custom", "cloudevents", "webhooks", "api", "ws", "eventweft"};

// A definition is a page of text; what is longer is something else.
constexpr std::uintmax_t max_definition = 256u << 10;

bool has_code(std::string_view name) noexcept {
  return std::any_of(std::begin(built_in), std::end(built_in),
                     [&](const auto& b) { return b.first == name; }) ||
         std::find(std::begin(taken), std::end(taken), name) != std::end(taken);
}

expected<std::string> read_file(const fs::path& path) {
  std::error_code failed;
  const auto size = fs::file_size(path, failed);
  if (failed || size > max_definition)
    return fail(ec::bad_configuration,
                path.string() + ": " +
                    (failed ? failed.message() : "too large a definition"));
  std::ifstream in{path, std::ios::binary};
  std::string text{std::istreambuf_iterator<char>{in}, {}};
  if (!in)
    return fail(ec::bad_configuration, path.string() + ": can't be read");
  return text;
}

expected<std::vector<fs::path>> files_in(const fs::path& directory) {
  std::vector<fs::path> out;
  std::error_code failed;
  fs::directory_iterator it{directory, failed};
  for (; !failed && it != fs::directory_iterator{}; it.increment(failed))
    if (it->path().extension() == ".toml")
      out.push_back(it->path());
  if (failed)
    return fail(ec::bad_configuration,
                "[event] platforms_directory: " + directory.string() + ": " +
                    failed.message());
  std::sort(out.begin(), out.end());
  return out;
}

/// `seen` are the names that files have defined so far, and which ones.
expected<void> add_definition(const fs::path& path,
                              std::map<std::string, std::string>& seen,
                              definitions& to) {
  auto text = read_file(path);
  if (!text)
    return fail(std::move(text.error()));
  auto read = read_definition(*text, path.string());
  if (!read)
    return fail(std::move(read.error()));
  auto name = read->name;
  const auto refuse = [&](const std::string& why) {
    return fail(ec::bad_configuration, path.string() + ":" +
                                           std::to_string(read->name_line) +
                                           ": name: " + name + why);
  };
  if (has_code(name))
    return refuse(" belongs to a platform or a path that is built in");
  if (const auto [other, fresh] = seen.emplace(name, path.string()); !fresh)
    return refuse(" is taken by " + other->second);
  to.insert_or_assign(std::move(name), std::move(*read));
  return {};
}

expected<definitions> read_definitions(const fs::path& directory) {
  definitions out;
  for (const auto& [file, text] : shipped_definitions()) {
    auto read = read_definition(text, file);
    if (!read)
      return fail(std::move(read.error()));
    auto name = read->name;
    out.insert_or_assign(std::move(name), std::move(*read));
  }
  if (directory.empty())
    return out;
  const auto files = files_in(directory);
  if (!files)
    return fail(files.error());
  std::map<std::string, std::string> seen;
  std::string faults;
  for (const auto& path : *files)
    if (auto added = add_definition(path, seen, out); !added)
      faults += (faults.empty() ? "" : "\n") + added.error().message;
  if (!faults.empty())
    return fail(ec::bad_configuration, std::move(faults));
  return out;
}

/// `my-tool` of a definition is my_tool in the environment.
std::string folded(std::string_view name) {
  std::string out{name};
  std::ranges::replace(out, '-', '_');
  return out;
}

} // namespace

expected<std::vector<platform_ptr>>
make_platforms(const std::map<std::string, config::platform_settings>& settings,
               const clock& time, random_source& random,
               const fs::path& directory) {
  auto defined = read_definitions(directory);
  if (!defined)
    return fail(std::move(defined.error()));
  std::vector<platform_ptr> out;
  std::set<std::string, std::less<>> names;
  const auto add = [&](std::string_view name, auto&& make) -> expected<void> {
    names.emplace(name);
    const auto* found = section_of(settings, name);
    const auto section = found ? *found : config::platform_settings{};
    if (!section.enabled)
      return {};
    auto made = make(platform_parts{section, time, random});
    if (!made)
      return fail(std::move(made.error()));
    out.push_back(std::move(*made));
    return {};
  };
  for (const auto& [name, make] : built_in)
    if (auto added = add(name, make); !added)
      return fail(std::move(added.error()));
  for (const auto& [name, definition] : *defined) {
    const auto make = [&d = definition](const platform_parts& parts) {
      return make_declarative(d, parts);
    };
    if (auto added = add(name, make); !added)
      return fail(std::move(added.error()));
  }
  // Last, since no custom event may claim one of the names before.
  const auto custom = [&](const platform_parts& parts) {
    return make_custom(parts, names);
  };
  if (auto added = add("events", custom); !added)
    return fail(std::move(added.error()));
  if (auto known = check_sections(settings, names); !known)
    return fail(std::move(known.error()));
  return out;
}

expected<std::set<std::string, std::less<>>>
platform_names(const fs::path& directory) {
  auto defined = read_definitions(directory);
  if (!defined)
    return fail(std::move(defined.error()));
  std::set<std::string, std::less<>> out{"events"};
  for (const auto& [name, make] : built_in)
    out.emplace(name);
  for (const auto& [name, definition] : *defined)
    out.insert(name);
  return out;
}

const config::platform_settings*
section_of(const std::map<std::string, config::platform_settings>& settings,
           std::string_view name) {
  auto found = settings.find(std::string{name});
  if (found == settings.end())
    found = settings.find(folded(name));
  return found == settings.end() ? nullptr : &found->second;
}

expected<void>
check_sections(const std::map<std::string, config::platform_settings>& settings,
               const std::set<std::string, std::less<>>& names) {
  for (const auto& [section, unused] : settings) {
    const auto is_its = [&s = section](const auto& name) {
      return name == s || folded(name) == s;
    };
    if (std::ranges::any_of(names, is_its))
      continue;
    std::string all;
    for (const auto& name : names)
      all += (all.empty() ? "" : ", ") + name;
    return fail(ec::bad_configuration,
                "[platforms." + section + "]: there is no such platform, but " +
                    all +
                    "; platforms that senders of custom events name are "
                    "[platforms.events]");
  }
  return {};
}

} // namespace eventweft::platforms
