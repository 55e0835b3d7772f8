// SPDX-License-Identifier: Apache-2.0
#include "config/loader.hpp"

#include "config/consistency.hpp"
#include "config/small_file.hpp"
#include "config/sources.hpp"
#include "config/store_choice.hpp"

#include <system_error>
#include <utility>

namespace eventweft::config {

namespace {

namespace fs = std::filesystem;

// As the files with secrets: relative to the file that names it. Nothing else
// has set anything yet.
void place_directory(settings& values, const fs::path& base) {
  auto& directory = values.event.platforms_directory;
  if (!directory.empty())
    directory = (base / directory).lexically_normal().string();
}

reading build(std::string_view toml, std::string_view name,
              std::optional<fs::path> path, const load_options& options) {
  collector all;
  const auto base = path ? path->parent_path() : fs::path{name}.parent_path();
  if (!name.empty()) {
    const auto& folder = base.empty() ? options.directory : base;
    add_file(all, toml, name, folder);
    place_directory(all.result().values, folder);
  }
  add_environment(all, options.env, options.directory);
  for (const auto& f : options.flags)
    add_flag(all, f, options.directory);
  check_consistency(all);
  choose_store(all);
  return std::move(all).take(std::move(path));
}

/// Nothing else will do.
expected<effective> without_fault(reading r) {
  if (r.faults.empty())
    return std::move(r.result);
  std::string all;
  for (const auto& one : r.faults)
    all += all.empty() ? one : '\n' + one;
  return fail(ec::bad_configuration, std::move(all));
}

} // namespace

reading read_all(const load_options& options) {
  auto path = options.file;
  const auto named = options.env.find("EVENTWEFT_CONFIG");
  if (!path && named != options.env.end() && !named->second.empty())
    path = named->second;
  std::error_code fault;
  if (!path) {
    const auto usual = options.directory / "eventweft.toml";
    if (!fs::exists(usual, fault))
      return build({}, {}, std::nullopt, options);
    path = usual.lexically_normal();
  }
  const auto text = read_file(*path, "configuration file");
  if (!text)
    return {{}, {text.error().message}, false};
  return build(*text, path->string(), path, options);
}

expected<effective> load_effective(const load_options& options) {
  return without_fault(read_all(options));
}

expected<settings> load(const load_options& options) {
  return load_effective(options).map(
      [](effective&& e) { return std::move(e.values); });
}

expected<effective> load_text(std::string_view toml, std::string_view name,
                              const load_options& options) {
  return without_fault(build(toml, name, std::nullopt, options));
}

} // namespace eventweft::config
