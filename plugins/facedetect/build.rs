//! Sets environment variables for the compilation: the commit and release date that `plugin_define!` reads.

fn main() {
    gst_plugin_version_helper::info()
}
