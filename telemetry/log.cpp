// SPDX-License-Identifier: Apache-2.0
#include "telemetry/log.hpp"

#include "codec/json_text.hpp"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/null_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>

namespace eventweft {

namespace {

constexpr std::string_view event_mark = "event=";
constexpr size_t uuid_length = 36;

/// spdlog says "warning", its reader and our configuration say "warn".
std::string_view name_of(spdlog::level::level_enum level) {
  const auto view = spdlog::level::to_string_view(level);
  return level == spdlog::level::warn
             ? "warn"
             : std::string_view{view.data(), view.size()};
}

class level_flag final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& msg, const std::tm&,
              spdlog::memory_buf_t& dest) override {
    const auto name = name_of(msg.level);
    dest.append(name.data(), name.data() + name.size());
  }

  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<level_flag>();
  }
};

// The message as JSON members: `"message":"…"`, and `"event":"…"` before it
// where `log_event` wrote it.
class json_message_flag final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& msg, const std::tm&,
              spdlog::memory_buf_t& dest) override {
    std::string_view message{msg.payload.data(), msg.payload.size()};
    std::string text;
    const auto head = event_mark.size() + uuid_length;
    if (message.starts_with(event_mark) && message.size() > head &&
        message[head] == ' ') {
      text += "\"event\":";
      codec::append_quoted(text,
                           message.substr(event_mark.size(), uuid_length));
      text += ',';
      message.remove_prefix(head + 1);
    }
    text += "\"message\":";
    codec::append_quoted(text, message);
    dest.append(text.data(), text.data() + text.size());
  }

  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<json_message_flag>();
  }
};

/// Of a control character at the start of `text`, how many bytes it takes: one
/// of ASCII, or of U+0080 to U+009F, which terminals obey as well. Else 0.
size_t control_length(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x20 || first == 0x7F)
    return 1;
  const auto second =
      text.size() > 1 ? static_cast<unsigned char>(text[1]) : 0u;
  return first == 0xC2 && second >= 0x80 && second <= 0x9F ? 2 : 0;
}

std::string escape_of(std::string_view control) {
  switch (control[0]) {
  case '\n':
    return "\\n";
  case '\r':
    return "\\r";
  case '\t':
    return "\\t";
  default:
    return control.size() == 1
               ? fmt::format("\\x{:02x}",
                             static_cast<unsigned char>(control[0]))
               : fmt::format("\\u{:04x}",
                             static_cast<unsigned char>(control[1]));
  }
}

class text_message_flag final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& msg, const std::tm&,
              spdlog::memory_buf_t& dest) override {
    const auto text = printable_line({msg.payload.data(), msg.payload.size()});
    dest.append(text.data(), text.data() + text.size());
  }

  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<text_message_flag>();
  }
};

std::unique_ptr<spdlog::formatter> make_formatter(bool json) {
  auto formatter = std::make_unique<spdlog::pattern_formatter>(
      spdlog::pattern_time_type::utc);
  if (json) {
    formatter->add_flag<json_message_flag>('*').add_flag<level_flag>('?').set_pattern(
        R"({"time":"%Y-%m-%dT%H:%M:%S.%fZ","level":"%?","component":"%n","thread":%t,%*})");
  } else {
    formatter->add_flag<text_message_flag>('*').set_pattern(
        "%Y-%m-%dT%H:%M:%S.%eZ %^%-5l%$ [%n] %*");
  }
  return formatter;
}

} // namespace

std::string printable_line(std::string_view message) {
  std::string out;
  out.reserve(message.size());
  // Up to where it is UTF-8.
  auto good = codec::utf8_length(message);
  size_t from = 0;
  for (size_t i = 0; i < message.size();) {
    const bool bad = i == good;
    const auto length = bad ? 1 : control_length(message.substr(i));
    if (length == 0) {
      ++i;
      continue;
    }
    out.append(message, from, i - from);
    out += escape_of(message.substr(i, length));
    i += length;
    from = i;
    if (bad)
      good = i + codec::utf8_length(message.substr(i));
  }
  out.append(message, from);
  return out;
}

expected<logger_ptr> make_logger(const log_options& options) {
  const auto level = spdlog::level::from_str(options.level);
  if (level == spdlog::level::off && options.level != "off")
    return fail(ec::bad_configuration,
                "[log] level: \"" + options.level +
                    "\" is none of trace, debug, info, warn, error, off");
  if (options.format != "text" && options.format != "json")
    return fail(ec::bad_configuration, "[log] format: \"" + options.format +
                                           "\" is neither text nor json");
  try {
    spdlog::sink_ptr sink;
    if (options.file.empty())
      sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
    else
      sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(options.file);
    sink->set_formatter(make_formatter(options.format == "json"));
    auto log = std::make_shared<spdlog::logger>("eventweft", std::move(sink));
    log->set_level(level);
    // What is asked for is wanted now, debug lines too.
    log->flush_on(spdlog::level::trace);
    return log;
  } catch (const spdlog::spdlog_ex& e) {
    return fail(ec::bad_configuration, std::string{"[log] file: "} + e.what());
  }
}

component_logs::component_logs(logger_ptr base) : base_(std::move(base)) {}

logger_ptr component_logs::get(std::string_view component) {
  std::lock_guard guard{mutex_};
  const auto found = parts_.find(component);
  if (found != parts_.end())
    return found->second;
  std::string name{component};
  auto log = base_->clone(name);
  parts_.emplace(std::move(name), log);
  return log;
}

expected<void> component_logs::set_level(std::string_view component,
                                         std::string_view level) {
  const auto wanted = spdlog::level::from_str(std::string{level});
  if (wanted == spdlog::level::off && level != "off")
    return fail(ec::unprocessable,
                "level: \"" + std::string{level} +
                    "\" is none of trace, debug, info, warn, error, off");
  std::lock_guard guard{mutex_};
  if (component == "*") {
    base_->set_level(wanted);
    for (auto& [name, log] : parts_)
      log->set_level(wanted);
    return {};
  }
  const auto found = parts_.find(component);
  if (found == parts_.end())
    return fail(ec::not_found,
                "no part of the program is called " + std::string{component});
  found->second->set_level(wanted);
  return {};
}

std::vector<std::pair<std::string, std::string>>
component_logs::levels() const {
  const auto text = [](const spdlog::logger& log) {
    return std::string{name_of(log.level())};
  };
  std::lock_guard guard{mutex_};
  std::vector<std::pair<std::string, std::string>> out;
  out.emplace_back("*", text(*base_));
  for (const auto& [name, log] : parts_)
    out.emplace_back(name, text(*log));
  return out;
}

logger_ptr null_logger() {
  auto log = std::make_shared<spdlog::logger>(
      "eventweft", std::make_shared<spdlog::sinks::null_sink_mt>());
  log->set_level(spdlog::level::off);
  return log;
}

} // namespace eventweft
