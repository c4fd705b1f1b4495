//! The program `mosei-ssl`.

fn main() {
    mosei_ssl::leave(mosei_ssl::main())
}
