// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/cluster/link_channel.hpp"
#include "actors/cluster/mesh.hpp"
#include "config/settings.hpp"
#include "crypto/certificate.hpp"
#include "telemetry/log.hpp"

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace eventweft {

/// This node's certificate: read from its files, checked, and given to CAF in
/// a form that can always be read. CAF reads certificates anew for each
/// connection and ends the process when it can't, so it is shown files in
/// memory that hold the last good ones, whatever becomes of those on disk.
/// Thread-safe.
class cluster_identity final : public link::identity {
 public:
  /// `bad_configuration` if anything is wrong with the files.
  static expected<std::shared_ptr<cluster_identity>>
  load(const config::cluster_settings& settings, const std::string& name);
  ~cluster_identity() override;

  /// For `prepare_transport`.
  transport_files files() const;

  /// Whether the files on disk changed since they were last looked at. If they
  /// hold something good, `swap` puts it in place; it is to be called where
  /// no connection is being made. What is wrong with them is logged once, and
  /// so is that the present certificate ends soon, and that it has.
  bool look(spdlog::logger& log, timestamp now);
  void swap();

  // -- link::identity --------------------------------------------------------
  std::string certificate() const override;
  expected<std::string> sign(std::string_view text) const override;
  expected<void> verify(const std::string& certificate, const std::string& name,
                        std::string_view text,
                        std::string_view signature) const override;

 private:
  cluster_identity(config::cluster_settings settings, std::string name);
  expected<crypto::credentials> read();
  expected<void> make_files();
  crypto::credentials current() const;
  void tell_of_end(spdlog::logger& log, timestamp now);

  /// A file that only this process has.
  class memory_file {
   public:
    memory_file() = default;
    ~memory_file();
    memory_file(const memory_file&) = delete;
    memory_file& operator=(const memory_file&) = delete;
    bool open(const char* name);
    bool write(const std::string& text);
    std::string path() const;

   private:
    int fd_ = -1;
  };

  const config::cluster_settings settings_;
  const std::string name_;
  memory_file certificate_;
  memory_file key_;
  memory_file authority_;
  mutable std::mutex mutex_;
  std::optional<crypto::credentials> current_;
  std::optional<crypto::credentials> next_;
  /// What the log was told of the end of the present one.
  enum class told : uint8_t { nothing, soon, over };
  told told_ = told::nothing;
  std::string seen_;
};

/// Whether something listens there, within a second or so. Blocks.
bool listens_at(const std::string& host, uint16_t port);

} // namespace eventweft
