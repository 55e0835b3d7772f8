// SPDX-License-Identifier: Apache-2.0
#include "telemetry/log.hpp"

#include "codec/json_text.hpp"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/null_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>

namespace eventweft {

namespace {

// The message as a JSON string, quotes included.
class json_message_flag final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& msg, const std::tm&,
              spdlog::memory_buf_t& dest) override {
    std::string text;
    codec::append_quoted(text, {msg.payload.data(), msg.payload.size()});
    dest.append(text.data(), text.data() + text.size());
  }

  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<json_message_flag>();
  }
};

std::unique_ptr<spdlog::formatter> make_formatter(bool json) {
  auto formatter = std::make_unique<spdlog::pattern_formatter>(
      spdlog::pattern_time_type::utc);
  if (json) {
    formatter->add_flag<json_message_flag>('*').set_pattern(
        R"({"time":"%Y-%m-%dT%H:%M:%S.%fZ","level":"%l","thread":%t,"message":%*})");
  } else {
    formatter->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %^%-5l%$ %v");
  }
  return formatter;
}

} // namespace

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
    log->flush_on(spdlog::level::info);
    return log;
  } catch (const spdlog::spdlog_ex& e) {
    return fail(ec::bad_configuration, std::string{"[log] file: "} + e.what());
  }
}

logger_ptr null_logger() {
  auto log = std::make_shared<spdlog::logger>(
      "eventweft", std::make_shared<spdlog::sinks::null_sink_mt>());
  log->set_level(spdlog::level::off);
  return log;
}

} // namespace eventweft
