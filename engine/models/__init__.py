"""Model families behind one interface; `registry` names them, `weights` reads them."""
