//! Sets environment variables for the compilation: the commit and release date that `plugin_define!` reads; and options of the linker.

fn main() {
    gst_plugin_version_helper::info();
    // Addresses to be relocated as a bit map: 0.2 MB less. glibc 2.36 understands it; linkers that do not ignore it.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,pack-relative-relocs");
}
