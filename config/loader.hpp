// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/settings.hpp"
#include "messages/errors.hpp"

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace eventweft::config {

/// The process environment, or what a test puts in its place.
using environment = std::map<std::string, std::string>;

/// One value from the command line.
struct flag {
  /// How the user wrote it, for messages: "--listen".
  std::string label;
  /// "server.listen", "platforms.github.secrets".
  std::string key;
  std::string value;
};

struct load_options {
  /// Strongest. A later one overrides an earlier one.
  std::vector<flag> flags;
  /// Empty variables count as not set, except for `EVENTWEFT_…` keys that
  /// take any text. `EVENTWEFT_CONFIG` names the file if `file` does not.
  std::map<std::string, std::string> env;
  /// Must exist if given.
  std::optional<std::filesystem::path> file;
  /// Where `eventweft.toml` is looked for if no file is named.
  std::filesystem::path directory = ".";
};

/// The settings and where they are from.
struct effective {
  settings values;
  /// "server.listen" → "eventweft.toml:3", "DB_HOST", "--listen"; what has its
  /// default is not in here.
  std::map<std::string, std::string> origins;
  /// "processors.notify" → "eventweft.toml:3": the headings of the file; each
  /// of its correlation rules as "correlation.rules.NAME".
  std::map<std::string, std::string> sections;
  std::optional<std::filesystem::path> file;
};

/// What came of reading all sources.
struct reading {
  /// Where there are faults, with the defaults.
  effective result;
  /// One sentence each; one about a value has its place in front, then its
  /// section: "eventweft.toml:3: [server] listen: …".
  std::vector<std::string> faults;
  /// False: there is a source of which nothing could be read.
  bool all_read = true;
};

/// Flag over environment over file over default. The store's URL is never
/// empty in the result: without one, `[database]` selects PostgreSQL by its
/// parts (a host or a database name that is set), and so does any of
/// `DB_HOST`, `DB_PORT`, `DB_NAME`, `DB_USER` and `DB_PASSWORD`; else it is
/// `sqlite:eventweft.db`. `bad_configuration` lists every fault, one a
/// line, each with file and line, variable or flag, and key; secrets never
/// show in it.
expected<settings> load(const load_options& options);

/// The same with its origins.
expected<effective> load_effective(const load_options& options);

/// The same as far as it can be read, for those who look for what else is
/// wrong.
reading read_all(const load_options& options);

/// The same with a file's text at hand; `name` is what messages call it and
/// what relative `secret_file` paths and `platforms_directory` are relative to
/// the folder of.
expected<effective> load_text(std::string_view toml, std::string_view name,
                              const load_options& options);

/// `fault` as people find it: where its message names a section, or a section
/// and a key, as "[server] listen: …", the place that these are from goes in
/// front. Unchanged for defaults.
error located(const effective& e, error fault);

/// `eventweft check`'s view: every key in TOML's syntax with its origin,
/// secrets masked.
std::string describe(const effective& e);

/// `postgresql://…` made of `[database]`, everything escaped as libpq wants
/// it. Holds the password.
std::string database_url(const database_settings& d);

/// The variables of this process.
environment process_environment();

} // namespace eventweft::config
